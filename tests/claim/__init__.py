from . import (
    test_booking,
    test_claim,
    test_fourteen_day,
    test_prescription,
)
