from . import (
    test_claim_engine,
    test_dated_facts,
    test_instalments,
    test_law_account,
    test_law_calendar,
    test_law_costs,
    test_law_imputation,
    test_law_interest,
    test_letter_referee,
    test_letter_validity,
    test_receipt,
    test_wording,
)
