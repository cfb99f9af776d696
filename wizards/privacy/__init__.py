from . import dunning_personal_data
from . import base_partner_merge_automatic_wizard
