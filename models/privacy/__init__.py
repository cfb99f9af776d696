from . import res_partner
from . import res_config_settings
from . import dunning_retention
from . import dunning_retention_line
from . import dunning_retention__call
from . import res_partner__arrangement
from . import dunning_retention__arrangement
from . import res_partner__page
