from . import (
    test_fourteen_day_letter,
    test_goes_along,
    test_letters,
)
