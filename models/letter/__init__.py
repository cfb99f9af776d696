from . import dunning_level
from . import dunning_notice
from . import dunning_letter
from . import dunning_letter__text
from . import dunning_letter__pdf
from . import dunning_letter__print
from . import dunning_debtor_mail
from . import ir_mail_server
