from odoo import models
from odoo.exceptions import AccessError

from ..kernel.dunning_field import Whole


class IrBinary(models.AbstractModel):
    _inherit = 'ir.binary'

    def _record_to_stream(self, record, field_name):
        # EXTENDS 'base': core reads the file of a field with all rights.
        if isinstance(record._fields[field_name], Whole) and not record._sees_whole():
            raise AccessError(self.env._(
                "This file is also about companies of the creditor that you do not work for. Ask a colleague who works "
                "for all of them."))
        return super()._record_to_stream(record, field_name)
