from . import dunning_interest_alert
from . import res_config_settings
from . import dunning_interest_rate
from . import dunning_law_fact
from . import account_payment_term
from . import res_partner
