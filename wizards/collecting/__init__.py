from . import dunning_call_enter
