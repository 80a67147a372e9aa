"""Ids as text."""

# The two highest bits of the digit say which kind of UUID it is; the others stay.
_VARIANT = {digit: f"{int(digit, 16) & 0x3 | 0x8:x}" for digit in "0123456789abcdef"}


def uuid_text(digits: str, *, version: int) -> str:
    """``str(UUID(hex=digits[:32], version=version))`` for lower-case digits, without the UUID in between."""
    return f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
