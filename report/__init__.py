from . import dunning_letter_report
from . import dunning_claim_report
