from . import dunning_personal_data
