import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import seal
from sync.errors import NotTrusted
from tests.sync.samples import key

ME, OTHER = key(1), key(2)


def test_a_signature_holds_for_its_key_domain_and_message_only() -> None:
    public = seal.public_sign_key(ME)
    signature = seal.sign(ME, b"checkpoint", b"message")

    assert len(signature) == seal.SIGNATURE_BYTES
    assert seal.is_signed(public, b"checkpoint", b"message", signature)
    assert not seal.is_signed(public, b"vector", b"message", signature)
    assert not seal.is_signed(public, b"checkpoint", b"messagf", signature)
    assert not seal.is_signed(public, b"checkpoin", b"tmessage", signature)
    assert not seal.is_signed(
        seal.public_sign_key(OTHER), b"checkpoint", b"message", signature
    )


@given(st.binary(max_size=40), st.binary(max_size=80))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_a_key_or_signature_of_any_bytes_is_no_signature(
    public: bytes, signature: bytes
) -> None:
    assert not seal.is_signed(public, b"bundle", b"message", signature)


@pytest.mark.parametrize("at", range(seal.SIGNATURE_BYTES))
def test_a_signature_with_one_bit_changed_does_not_hold(at: int) -> None:
    signature = bytearray(seal.sign(ME, b"bundle", b"message"))
    signature[at] ^= 1

    held = seal.is_signed(
        seal.public_sign_key(ME), b"bundle", b"message", bytes(signature)
    )

    assert not held


@given(st.binary(max_size=500), st.binary(max_size=100))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_what_is_sealed_opens_with_the_key_and_the_info_that_it_was_sealed_to(
    plain: bytes, info: bytes
) -> None:
    sealed = seal.seal(seal.public_seal_key(ME), info, plain)

    assert len(sealed) == len(plain) + seal.SEAL_OVERHEAD_BYTES
    assert seal.unseal(ME, info, sealed) == plain


def test_sealing_the_same_twice_gives_different_bytes() -> None:
    public = seal.public_seal_key(ME)

    assert seal.seal(public, b"", b"plain") != seal.seal(public, b"", b"plain")


@pytest.mark.parametrize(
    ("private", "info"),
    [
        (OTHER, b"header"),  # somebody else's key
        (ME, b"headeR"),  # another header
        (ME, b""),
    ],
)
def test_another_key_or_another_info_opens_nothing(private: bytes, info: bytes) -> None:
    sealed = seal.seal(seal.public_seal_key(ME), b"header", b"plain")

    with pytest.raises(NotTrusted):
        seal.unseal(private, info, sealed)


def test_sealed_bytes_changed_or_cut_anywhere_do_not_open() -> None:
    sealed = seal.seal(seal.public_seal_key(ME), b"header", b"plain")

    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 0x40]) + sealed[at + 1 :]
        for bad in (changed, sealed[:at]):
            with pytest.raises(NotTrusted):
                seal.unseal(ME, b"header", bad)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 47, 48, 49, 100])
@pytest.mark.parametrize("byte", [0, 1, 255])
def test_bytes_that_nobody_sealed_do_not_open(length: int, byte: int) -> None:
    # All zero is a point of small order: the library says so in another error.
    with pytest.raises(NotTrusted):
        seal.unseal(ME, b"header", bytes([byte]) * length)


def test_a_tls_identity_is_pinned_by_its_certificate() -> None:
    one, key_pem = seal.make_tls("one", b"passphrase")
    other, _ = seal.make_tls("one", b"passphrase")

    assert len(seal.tls_fingerprint(one)) == seal.HASH_BYTES
    assert seal.tls_fingerprint(one) == seal.tls_fingerprint(one)
    assert seal.tls_fingerprint(one) != seal.tls_fingerprint(other)
    assert b"ENCRYPTED" in key_pem


def test_a_hash_is_over_all_parts_one_after_the_other() -> None:
    # So a caller must frame its parts itself; every one of ours begins with a domain.
    assert seal.sha256(b"ab", b"c") == seal.sha256(b"a", b"bc") == seal.sha256(b"abc")
