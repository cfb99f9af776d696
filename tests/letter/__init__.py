from . import (
    test_fourteen_day_letter,
    test_letters,
)
