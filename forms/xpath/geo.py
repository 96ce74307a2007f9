"""Length, area and inside of lines on the earth. Pure: no I/O.

The earth is a ball with the radius of the equator and altitude is left out, as the ODK
XForms specification says; lengths and areas have two decimals.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

RADIUS_M = 6_378_100

Point = tuple[float, float]
"""Latitude and longitude, in degrees."""


def read_point(text: str) -> Point | None:
    """Return the point written "latitude longitude [altitude [accuracy]]"."""
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError:
        return None
    if not 2 <= len(numbers) <= 4 or not all(math.isfinite(n) for n in numbers):
        return None
    return numbers[0], numbers[1]


def read_points(texts: Sequence[str]) -> list[Point] | None:
    """Return the points of geopoints, or of one trace `a;b;c`; None if one is wrong."""
    points = []
    for text in texts:
        for part in text.strip().removesuffix(";").split(";"):
            point = read_point(part)
            if point is None:
                return None
            points.append(point)
    return points


def length_m(points: Sequence[Point]) -> float:
    """Return the length of the way along the points, in metres."""
    return _two_decimals(math.fsum(_apart_m(a, b) for a, b in pairwise(points)))


def area_m2(points: Sequence[Point]) -> float:
    """Return the area that the points go around, in square metres; 0 below three."""
    if len(points) < 3:
        return 0.0
    around = list(points)
    if around[0] != around[-1]:
        around.append(around[0])
    total = math.fsum(
        math.radians(b[1] - a[1])
        * (2 + math.sin(math.radians(a[0])) + math.sin(math.radians(b[0])))
        for a, b in pairwise(around)
    )
    return _two_decimals(abs(total * RADIUS_M * RADIUS_M / 2))


def is_inside(point: Point, around: Sequence[Point]) -> bool:
    """Tell whether the point lies in a closed shape; an open one has no inside."""
    if len(around) < 4 or around[0] != around[-1]:
        return False
    latitude, longitude = point
    inside = False
    for (lat_a, lon_a), (lat_b, lon_b) in pairwise(around):
        if (lat_a > latitude) != (lat_b > latitude):
            crossing = lon_a + (latitude - lat_a) / (lat_b - lat_a) * (lon_b - lon_a)
            if longitude < crossing:
                inside = not inside
    return inside


def _apart_m(a: Point, b: Point) -> float:
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    lat, lon = lat_b - lat_a, math.radians(b[1] - a[1])
    half = math.sin(lat / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(lon / 2) ** 2
    return 2 * RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def _two_decimals(number: float) -> float:
    return math.floor(number * 100 + 0.5) / 100
