"""Log bins of readings: eight to an octave, symmetric around 0. Pure, integers only.

The layout of HdrHistogram (G. Tene): below 16 each reading has a bin of its own, above it each
octave is cut into eight bins of one width. The commit script bins in the same way (`bin_of` in
commit.lua); the store's contract suite holds the two against each other.
"""

from __future__ import annotations

_FINEST = 4  # bits: readings below 2**4 are not put together
_PER_OCTAVE = 8


def bin_of(reading: int) -> int:
    """Return the bin of a reading of either sign; a larger reading never has a smaller bin.

    >>> [bin_of(reading) for reading in (-17, 0, 1, 15, 16, 17, 18, 10**13)]
    [-16, 0, 1, 15, 16, 16, 17, 329]
    """
    size = abs(reading)
    shift = max(size.bit_length() - _FINEST, 0)
    place = _PER_OCTAVE * shift + (size >> shift)
    return place if reading >= 0 else -place


def bounds_of(place: int) -> tuple[int, int]:
    """Return the least reading of a bin, and the first one above it.

    >>> bounds_of(17), bounds_of(-17), bounds_of(0), bounds_of(-1)
    ((18, 20), (-19, -17), (0, 1), (-1, 0))
    """
    if place < 0:
        low, high = bounds_of(-place)
        return 1 - high, 1 - low
    shift = max(place // _PER_OCTAVE - 1, 0)
    low = (place - _PER_OCTAVE * shift) << shift
    return low, low + (1 << shift)
