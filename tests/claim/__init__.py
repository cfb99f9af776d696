from . import (
    test_booking,
    test_branches,
    test_claim,
    test_fourteen_day,
    test_imputation_of_one,
    test_overbooked,
    test_paid_in_time,
    test_prescription,
)
