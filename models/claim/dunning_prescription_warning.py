"""The daily check: who is responsible hears in time that a claim is about to prescribe."""

from odoo import fields, models


class DunningPrescriptionWarning(models.Model):
    """That somebody was told when an item prescribes: the memory of the daily check, so that nobody is told twice."""

    _name = 'dunning.prescription.warning'
    _description = "Warning of Prescription"
    _order = 'id desc'

    move_line_id = fields.Many2one(
        comodel_name='account.move.line', string="Due Item", required=True, ondelete='cascade', index=True)
    company_id = fields.Many2one(related='move_line_id.company_id', store=True)
    until = fields.Date(string="Prescribes After", required=True)
    months = fields.Integer(string="Months Before", required=True)

    _once = models.UniqueIndex("(move_line_id, until, months)", "Somebody was told of this already.")
