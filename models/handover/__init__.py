from . import res_partner
from . import dunning_notice
from . import dunning_claim
