from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date


class DunningInterruption(models.Model):
    """What interrupted the prescription of claims other than our own notices, entered by hand.

    Evidence: it can be entered and withdrawn with a reason, never changed or deleted.
    """

    _name = 'dunning.interruption'
    _description = "Interruption of Prescription"
    _order = 'date desc, id desc'
    _check_company_auto = True

    company_id = fields.Many2one(
        comodel_name='res.company', required=True, index=True, default=lambda self: self.env.company)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, ondelete='restrict')
    kind = fields.Selection(
        selection=[
            ('recognition', "Recognition of the debt"),
            ('written', "Written notice"),
            ('summons', "Summons"),
            ('judgment', "Judgment"),
        ],
        required=True,
        help="Recognition: the debtor acknowledged the debt, as in a signed payment arrangement (article 3:318 BW).\n"
             "Written notice: sent outside this system, with an unambiguous reservation of the right to performance "
             "(article 3:317 BW).\n"
             "Summons: it interrupts when the claim is granted in the end (article 3:316 BW).\n"
             "Judgment: it can be executed for twenty years (article 3:324 BW).",
    )
    date = fields.Date(
        required=True,
        help="The day on which the debtor received it or acknowledged the debt; of a judgment, its date.")
    scope = fields.Selection(
        selection=[
            ('invoices', "Some invoices"),
            ('items', "Some due items"),
            ('debtor', "Everything the debtor owed"),
        ],
        string="About",
        required=True,
        default='invoices',
    )
    move_ids = fields.Many2many(
        comodel_name='account.move', relation='dunning_interruption_move_rel', column1='interruption_id',
        column2='move_id', string="Invoices")
    item_ids = fields.Many2many(
        comodel_name='account.move.line', relation='dunning_interruption_item_rel', column1='interruption_id',
        column2='item_id', string="Due Items")
    proof = fields.Binary(attachment=True, help="The signed agreement, the notice with its receipt, the writ.")
    proof_filename = fields.Char()
    note = fields.Text()
    user_id = fields.Many2one(
        comodel_name='res.users', string="Entered By", required=True, readonly=True,
        default=lambda self: self.env.user)
    withdrawn_reason = fields.Char(
        string="Withdrawn Because", help="Entered by mistake? Say why; from then on it does not count.")
    withdrawn_on = fields.Date(readonly=True)
    withdrawn_by_id = fields.Many2one(comodel_name='res.users', readonly=True)

    _check_withdrawn = models.Constraint(
        "CHECK(withdrawn_on IS NULL OR withdrawn_reason IS NOT NULL)",
        "Say why the interruption is withdrawn.",
    )

    @api.depends('kind', 'date')
    @api.depends_context('lang')
    def _compute_display_name(self):
        labels = dict(self._fields['kind']._description_selection(self.env))
        for act in self:
            act.display_name = (
                self.env._("%(kind)s of %(date)s", kind=labels[act.kind], date=format_date(self.env, act.date))
                if act.kind and act.date else self.env._("New interruption"))

    # -------------------------------------------------------------------------
    # CHECKS
    # -------------------------------------------------------------------------

    @api.constrains('date')
    def _check_date(self):
        for act in self:
            if act.date > act.company_id._dunning_today():
                raise ValidationError(self.env._(
                    "What interrupts prescription has happened already: choose a date that is not in the future."))

    @api.constrains('scope', 'move_ids', 'item_ids', 'partner_id', 'company_id')
    def _check_covered(self):
        for act in self:
            if act.scope == 'debtor':
                if act.move_ids or act.item_ids:
                    raise ValidationError(self.env._(
                        "It is about everything the debtor owed, so no invoices or due items are to be chosen."))
                continue
            moves = act.move_ids if act.scope == 'invoices' else act.item_ids.move_id
            if not moves or (act.item_ids if act.scope == 'invoices' else act.move_ids):
                raise ValidationError(
                    self.env._("Choose the invoices it is about.") if act.scope == 'invoices'
                    else self.env._("Choose the due items it is about."))
            # sudo: only of which creditor they are
            companies = act.move_ids.company_id.sudo() | act.item_ids.company_id.sudo()
            if companies - act.company_id._get_dunning_companies():
                raise ValidationError(self.env._("Choose invoices of one debtor and one company."))
            debtors = act.move_ids.commercial_partner_id | act.item_ids.partner_id.commercial_partner_id
            if debtors - act.partner_id:
                raise ValidationError(self.env._(
                    "It is about %(debtor)s, but some of what was chosen is owed by %(other)s. Choose only what "
                    "%(debtor)s owes.",
                    debtor=act.partner_id.name, other=(debtors - act.partner_id)[:1].name))

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if any(vals.get(name) for name in ('withdrawn_reason', 'withdrawn_on', 'withdrawn_by_id')):
                raise UserError(self.env._("An interruption can be withdrawn only after it was entered."))
            vals['user_id'] = self.env.uid
            if vals.get('partner_id'):
                vals['partner_id'] = self.env['res.partner'].browse(vals['partner_id']).commercial_partner_id.id
        acts = super().create(vals_list)
        self.env['account.move']._forget_dunning_answers()
        for act in acts:
            act._log(self.env._("Prescription interrupted: %s.", act.display_name))
        return acts

    def write(self, vals):
        if vals.keys() - {'withdrawn_reason'} or not (vals.get('withdrawn_reason') or '').strip():
            raise UserError(self.env._(
                "An interruption is evidence and cannot be changed. Withdraw it with a reason and enter another one."))
        if any(act.withdrawn_on for act in self):
            raise UserError(self.env._("This interruption was withdrawn already."))
        result = True
        for today, batch in self.grouped(lambda act: act.company_id._dunning_today()).items():
            result = super(DunningInterruption, batch).write({
                **vals, 'withdrawn_on': today, 'withdrawn_by_id': self.env.uid})
        self.env['account.move']._forget_dunning_answers()
        for act in self:
            act._log(self.env._(
                "%(act)s was withdrawn and interrupts prescription no more: %(reason)s",
                act=act.display_name, reason=act.withdrawn_reason))
        return result

    def _log(self, text):
        """Tell the chatter of the invoices, or of the debtor when it is about everything he owed."""
        self.ensure_one()
        targets = self.partner_id if self.scope == 'debtor' else self.move_ids | self.item_ids.move_id
        targets._message_log_batch(dict.fromkeys(targets.ids, text))

    @api.model
    def _check_frozen_files(self, files, *, new=False):
        """Refuse to touch the proof of what was entered; it may be added."""
        if not new and files.filtered(lambda file: file.res_field == 'proof'):
            raise UserError(self.env._(
                "This is the proof of an interruption of prescription, so it cannot be changed or deleted."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._(
            "An interruption is evidence and cannot be deleted. Withdraw it with a reason if it was a mistake."))

    # -------------------------------------------------------------------------
    # ENTERING
    # -------------------------------------------------------------------------

    @api.onchange('scope')
    def _onchange_scope(self):
        if self.scope != 'invoices':
            self.move_ids = False
        if self.scope != 'items':
            self.item_ids = False

    @api.model
    def _action_enter(self, moves):
        """Return the action that opens an empty form about ``moves``, all of one debtor and company."""
        debtors, companies = moves.commercial_partner_id, moves.company_id
        company = companies._get_dunning_common()
        if len(debtors) != 1 or companies - company._get_dunning_companies():
            raise UserError(self.env._("Choose invoices of one debtor and one company."))
        if any(move.state != 'posted' or not move.is_sale_document(include_receipts=True) for move in moves):
            raise UserError(self.env._("Only posted invoices to customers can prescribe."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Enter an interruption of prescription"),
            'res_model': self._name,
            'view_mode': 'form',
            'target': 'new',
            'context': {
                'default_company_id': company.id,
                'default_partner_id': debtors.id,
                'default_scope': 'invoices',
                'default_move_ids': moves.ids,
            },
        }
