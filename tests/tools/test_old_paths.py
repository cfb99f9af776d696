from ...tools import collection_costs, dutch_calendar, law, statutory_interest
from .case import BaseCase, tagged


@tagged('post_install_l10n', 'post_install', '-at_install')
class TestOldPaths(BaseCase):
    """What the documentation of 19.0.1.3.0 imports from ``tools`` works for one more version."""

    def test_they_give_the_same(self):
        for old, names in (
            (collection_costs, ('collection_costs', 'business_costs')),
            (dutch_calendar, ('fourteen_day_term', 'presumed_receipt')),
            (statutory_interest, ('first_interest_day', 'interest')),
        ):
            new = getattr(law, old.__name__.rpartition('.')[2])
            for name in names:
                self.assertIs(getattr(old, name), getattr(new, name), f"{old.__name__}.{name}")
            self.assertIn("Deprecated", old.__doc__)
