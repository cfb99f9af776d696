from . import res_partner
from . import res_config_settings
from . import dunning_retention
from . import dunning_retention_line
