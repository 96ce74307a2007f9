"""Times and ages as people read them, in China's time. Pure: no clock.

One stored instant, one zone, one formatter: two screens never tell two times.
"""

import datetime as dt
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
LAST_MS = 253_402_214_400_000
"""9999-12-31 in China: a clock may say anything, and no later day can be written."""


def local(at_ms: int) -> dt.datetime:
    """Return an instant as China's wall clocks show it."""
    return dt.datetime.fromtimestamp(min(at_ms, LAST_MS) / 1000, CHINA)


def moment(at_ms: int, now_ms: int) -> str:
    """Return `11-21 10:32`; with the year where it is another than now's."""
    at = local(at_ms)
    shape = "%m-%d %H:%M" if at.year == local(now_ms).year else "%Y-%m-%d %H:%M"
    return at.strftime(shape)


def day(at_ms: int, now_ms: int) -> str:
    """Return `11-21` in ten cells or fewer; `2025-11-21` for another year."""
    at = local(at_ms)
    return at.strftime(
        "%m-%d" if at.year == local(now_ms).year else "%Y-%m-%d",
    )


def clock(at_ms: int, now_ms: int) -> str:
    """Return `10:32` for today, and the day with it for any other."""
    at = local(at_ms)
    is_today = at.date() == local(now_ms).date()
    return at.strftime("%H:%M") if is_today else moment(at_ms, now_ms)


def span(length_ms: int) -> str:
    """Return a length of time in its two largest units: `2天3小时`, `5分钟`.

    Under a minute, and below zero, which wrong clocks bring about, it is `不到1分钟`.
    """
    days, rest = divmod(max(0, length_ms), DAY_MS)
    hours, rest = divmod(rest, HOUR_MS)
    minutes = rest // MINUTE_MS
    if days:
        return f"{days}天{hours}小时" if hours else f"{days}天"
    if hours:
        return f"{hours}小时{minutes}分" if minutes else f"{hours}小时"
    return f"{minutes}分钟" if minutes else "不到1分钟"


def ago(at_ms: int, now_ms: int) -> str:
    """Return `刚刚`, or how long ago it was: `3分钟前`."""
    length_ms = now_ms - at_ms
    return "刚刚" if length_ms < MINUTE_MS else f"{span(length_ms)}前"
