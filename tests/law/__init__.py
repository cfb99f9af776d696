from . import (
    test_foreign,
    test_interest_rate,
    test_law_fact,
    test_law_stories,
    test_letter_world,
)
