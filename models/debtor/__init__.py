from . import res_company
from . import res_config_settings
from . import res_partner
from . import account_journal
from . import account_move
from . import account_move_line
from . import dunning_absence
from . import dunning_behaviour
