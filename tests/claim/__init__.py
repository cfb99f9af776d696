from . import (
    test_booking,
    test_claim,
    test_fourteen_day,
    test_paid_as_asked,
    test_prescription,
)
