from . import dunning_interest_alert
from . import res_config_settings
from . import dunning_interest_rate
