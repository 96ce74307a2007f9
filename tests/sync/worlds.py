"""Hypothesis strategies for documents that several people write at once."""

from hypothesis import strategies as st

from tests.sync.model import Place, Replica, Scalar, begin

ACTORS = [bytes([byte]) * 24 for byte in (0x01, 0x7F, 0xFF)]

KEYS = ["name", 'a "quoted" \\key\n', "姓名\u200b"]
PLACES: list[Place] = [("fields", key) for key in KEYS] + [(None, "v")]

scalars: st.SearchStrategy[Scalar] = st.one_of(
    st.sampled_from(["", "张三", "x" * 300, "𠮷", True, False, None, 0, 1, -1]),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
few_scalars: st.SearchStrategy[Scalar] = st.sampled_from(["a", "b", 1, True, None])


@st.composite
def worlds(
    draw: st.DrawFn, values: st.SearchStrategy[Scalar], max_steps: int = 14
) -> list[Replica]:
    """Draw three copies of one document after some writing and some merging."""
    replicas = begin(ACTORS)
    for _ in range(draw(st.integers(1, max_steps))):
        who = draw(st.sampled_from(replicas))
        if draw(st.integers(0, 2)):
            who.put(
                draw(
                    st.dictionaries(
                        st.sampled_from(PLACES), values, min_size=1, max_size=3
                    )
                )
            )
        else:
            other = draw(st.sampled_from(replicas))
            if other is not who:
                who.merge(other)
    return replicas
