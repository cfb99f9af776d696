from . import (
    test_interest_rate,
    test_law_fact,
    test_law_stories,
)
