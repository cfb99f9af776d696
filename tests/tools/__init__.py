from . import (
    test_claim_engine,
    test_figures,
    test_instalments,
    test_law_account,
    test_law_calendar,
    test_law_costs,
    test_law_imputation,
    test_law_interest,
    test_old_paths,
    test_wording,
)
