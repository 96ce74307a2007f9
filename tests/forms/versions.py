"""An item in two versions: one question renamed, one gone, one new, two altered."""

from datetime import date

from msgspec import structs

from forms.item import Tier
from forms.package import Choice, Field, Package
from tests.forms.samples import ITEM, id_number

_ITEM = structs.replace(
    ITEM,
    code="331164999000",
    name="林木采伐申请",
    department="自然资源局",
    decide=Tier.TOWN,
)
_REASONS = (
    Choice("building", "自建住房"),
    Choice("danger", "危及房屋"),
    Choice("other", "其他"),
)
_PERSON = (
    Field("name", "text", "姓名", required=True, role="applicant_name"),
    Field("citizen_id", "citizen_id", "身份证号", required=True, role="applicant_id"),
)

OLD = Package(
    version="2026112101",
    item=_ITEM,
    fields=(
        *_PERSON,
        Field("phone", "phone", "电话", required=True, role="applicant_phone"),
        Field("home", "text", "住址", required=True),
        Field("reason", "choice", "采伐原因", required=True, choices=_REASONS),
        Field("trees", "integer", "株数", required=True, minimum="1"),
        Field("fax", "text", "传真"),
        Field("photo", "file", "现场照片"),
    ),
)
NEW = Package(
    version="2026120101",
    item=_ITEM,
    fields=(
        *_PERSON,
        Field("phone", "phone", "手机号码", required=True, role="applicant_phone"),
        Field("address", "text", "住址", required=True),
        Field("reason", "choice", "采伐原因", required=True, choices=_REASONS[:2]),
        Field("trees", "integer", "株数", required=True, minimum="1", maximum="30"),
        Field("tenure", "text", "林权证号", required=True),
        Field("remark", "text", "备注"),
    ),
)
ANSWERS = {
    "name": "张三丰",
    "citizen_id": id_number(date(1950, 3, 8)),
    "phone": "13857012345",
    "home": "上塘村 3 号",
    "reason": "other",
    "trees": "40",
    "fax": "0570-4012345",
}
"""Right in the old version; in the new one two answers are not."""

PUT_RIGHT = {"reason": "danger", "trees": "12", "tenure": "林证字 2019 第 7 号"}
"""What makes the moved answers right in the new version."""
