from . import (
    test_one_sum,
    test_portal,
    test_portal_payment,
)
