from . import dunning_policy
from . import dunning_level_wording
from . import dunning_level
from . import mail_template
from . import res_company
from . import res_partner
