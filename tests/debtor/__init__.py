from . import test_branch_user
from . import test_collector
from . import test_open_item
from . import test_settings
