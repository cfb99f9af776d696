# A package may know only those above it (docs/architecture.md).
from . import kernel
from . import debtor
from . import law
from . import ladder
from . import notice
from . import hold
from . import claim
from . import planner
from . import letter
from . import sending
from . import agreement
from . import collecting
from . import portal
from . import handover
from . import privacy
