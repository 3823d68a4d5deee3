"""Checksums of numbers that belong to a person. A wrong one makes a detector less sure; it never makes it silent."""

from __future__ import annotations

from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_LETTERS = {chr(ord("A") + i): 10 + i for i in range(26)}


def luhn(digits: str) -> bool:
    """Return whether the digits pass the Luhn formula (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def resident_id(number: str) -> bool:
    """Return whether 17 digits and a check character agree (GB 11643-1999; ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11] == number[17]


def birthday(digits: str) -> bool:
    """Return whether YYYYMMDD is a day on which a living person may have been born."""
    try:
        return 1890 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year <= 2100
    except ValueError:
        return False


def mod97(account: str) -> bool:
    """Return whether an IBAN, without spaces and in capitals, agrees with its check digits (ISO 13616)."""
    moved = account[4:] + account[:4]
    return int("".join(str(_LETTERS.get(c, c)) for c in moved)) % 97 == 1


def hong_kong_id(letters: str, digits: str, check: str) -> bool:
    """Return whether one or two letters, six digits and a check character agree."""
    values = [_LETTERS[c] for c in letters] if len(letters) == 2 else [36, _LETTERS[letters]]
    values += [int(c) for c in digits] + [10 if check == "A" else int(check)]
    return sum(value * (9 - position) for position, value in enumerate(values)) % 11 == 0
