from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..debtor.res_partner import BUSINESS_SIGNS
from ..kernel.groups import ACCOUNTING, BOOKKEEPERS, COLLEAGUES

ACTIVITY = 'l10n_nl_dunning.mail_activity_type_debtor_type'
#: What decides whether a contact is a consumer, and whether its debts are its own.
DECISIVE = frozenset({'dunning_debtor_type', 'parent_id', *BUSINESS_SIGNS})


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_notice_ids = fields.One2many(
        comodel_name='dunning.notice',
        inverse_name='partner_id',
        string="Notices",
        groups=ACCOUNTING,
    )
    dunning_notice_count = fields.Integer(
        string="Number of Notices",
        compute='_compute_dunning_notice_count',
        groups=ACCOUNTING,
    )
    dunning_level_id = fields.Many2one(
        comodel_name='dunning.level',
        compute='_compute_dunning_level_id',
        search='_search_dunning_level_id',
        groups=COLLEAGUES,
        help="The highest level of the open invoices of this debtor at the current creditor.",
    )

    def _get_dunning_moves_domain(self):
        return Domain([
            ('company_id', 'in', self.env.company._get_dunning_company_ids()),
            ('state', '=', 'posted'),
            ('dunning_level_id', '!=', False),
        ])

    @api.depends_context('company')
    def _compute_dunning_level_id(self):
        """One query for all contacts. Everybody may see a level; amounts stay with accounting."""
        # sudo: sales staff sees the level of a contact, not the invoices it comes from
        groups = self.env['account.move'].sudo()._read_group(
            self._get_dunning_moves_domain()
            & Domain('commercial_partner_id', 'in', self.commercial_partner_id.ids),
            ['commercial_partner_id', 'dunning_level_id'],
        )
        highest = {}
        for debtor, level in groups:
            found = highest.get(debtor.id)
            if not found or (level.sequence, level.id) > (found.sequence, found.id):
                highest[debtor.id] = level
        for partner in self:
            level = highest.get(partner.commercial_partner_id._origin.id)
            partner.dunning_level_id = level.sudo(False) if level else False

    @api.model
    def _get_dunning_level_sql(self, debtor, company):
        """Return the SQL of the id of that level: of a debtor in a company, for whoever groups or searches by it.

        :param SQL debtor: the id of a commercial partner
        :param SQL company: the id of a company
        """
        Move = self.env['account.move']
        return SQL(
            """
            (SELECT move.dunning_level_id
               FROM account_move move
               JOIN (%(ranks)s) level ON level.id = move.dunning_level_id
              WHERE move.commercial_partner_id = %(debtor)s AND %(same)s
                AND move.state = 'posted'
           ORDER BY level.rank DESC
              LIMIT 1)
            """,
            ranks=self.env['dunning.level']._get_ranks_sql(), debtor=debtor,
            same=self.env['res.company']._get_dunning_same_creditor_sql(SQL("move.company_id"), company),
            to_flush=[Move._fields[name] for name in (
                'dunning_level_id', 'commercial_partner_id', 'company_id', 'state')])

    def _field_to_sql(self, alias, field_expr, query=None):
        # OVERRIDE: contacts, and what is related to them, can be grouped by what is not stored.
        if field_expr != 'dunning_level_id':
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], 'read')
        return self._get_dunning_level_sql(
            SQL.identifier(alias, 'commercial_partner_id'), SQL("%s", self.env.company.id))

    def _search_dunning_level_id(self, operator, value):
        if operator not in ('in', 'any'):
            return NotImplemented
        domain = self._get_dunning_moves_domain()
        if operator == 'in':
            levels = [level for level in value if level]
            wanted = Domain('dunning_level_id', 'in', levels)
            without = len(levels) < len(list(value))
        else:
            wanted, without = Domain('dunning_level_id', 'any', value), False
        # sudo: as in the compute, the level of a contact is for everybody
        Move = self.env['account.move'].sudo()
        found = Domain('commercial_partner_id', 'in', Move._search(domain & wanted).subselect('commercial_partner_id'))
        if without:
            found |= Domain('commercial_partner_id', 'not in', Move._search(domain).subselect('commercial_partner_id'))
        return found

    @api.depends_context('company')
    def _compute_dunning_notice_count(self):
        groups = self.env['dunning.notice']._read_group(
            [('partner_id', 'in', self.commercial_partner_id.ids)], ['partner_id'], ['__count'])
        counts = {partner.id: count for partner, count in groups}
        for partner in self:
            partner.dunning_notice_count = counts.get(partner.commercial_partner_id._origin.id, 0)

    def action_dunning_notices(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_nl_dunning.dunning_notice_action')
        return {**action, 'domain': [('partner_id', '=', self.commercial_partner_id.id)], 'context': {}}

    # -------------------------------------------------------------------------
    # A CONSUMER STAYS ONE
    # -------------------------------------------------------------------------

    def write(self, vals):
        # OVERRIDE: whoever edits a contact, a consumer stays one until somebody in accounting confirms otherwise.
        if not vals.keys() & DECISIVE:
            return super().write(vals)
        self._check_dunning_private(vals)
        consumers = self._filter_dunning_consumers()
        confirmed = consumers if vals.get('dunning_debtor_type') not in (None, False, 'consumer') else self.browse()
        confirmed._check_dunning_confirmed(vals)
        # sudo: whoever chooses a type need not see why it was another one
        outdated = self.sudo().filtered(lambda partner: (
            partner.dunning_type_reason and 'dunning_type_reason' not in vals
            and vals.get('dunning_debtor_type', partner.dunning_debtor_type) != partner.dunning_debtor_type))
        result = super().write(vals)
        if outdated:
            super(ResPartner, outdated).write({'dunning_type_reason': False})
        confirmed._log_dunning_confirmed()
        for debtor in (consumers - confirmed).sudo():  # sudo: as in what it calls
            if debtor.dunning_effective_type != 'consumer':
                debtor._keep_dunning_consumer(debtor.dunning_effective_type_reason)
        return result

    def _filter_dunning_consumers(self, *, settled=False):
        """Return the debtors among these that were treated as consumers: they owe something, or were reminded.

        :param settled: also those that owe nothing any more
        """
        # sudo: whoever edits a contact changes what all companies may ask, whatever that user sees of the ledger
        debtors = self.sudo().filtered(lambda partner: (
            partner.commercial_partner_id == partner and partner.dunning_effective_type == 'consumer'))
        if not debtors:
            return self.browse()
        Item, Notice = self.env['account.move.line'].sudo(), self.env['dunning.notice'].sudo()  # sudo: as above
        owing = Item._get_dunning_open_domain(debtors=debtors) if not settled else (
            Item._get_dunning_due_domain()
            & Domain([('parent_state', '=', 'posted'), ('partner_id.commercial_partner_id', 'in', debtors.ids)]))
        told = [('partner_id', 'in', debtors.ids), ('debtor_type', '=', 'consumer')]
        found = {
            partner.commercial_partner_id.id
            for (partner,) in (*Item._read_group(owing, ['partner_id']), *Notice._read_group(told, ['partner_id']))}
        return self.filtered(lambda partner: partner.id in found)

    def _filter_dunning_under_law(self):
        """Return those of these debtors who were invoiced by a creditor whose law is in this program."""
        # sudo: whoever edits a contact need not see all companies
        here = self.env['res.company'].sudo().search(Domain.TRUE).filtered(  # each that is there
            lambda company: company._get_dunning_law()) if self else ()
        found = self.env['account.move.line'].sudo()._read_group(  # sudo: as above
            Domain('partner_id.commercial_partner_id', 'in', self.ids) & Domain('company_id', 'in', here.ids)
            & Domain('parent_state', '=', 'posted'), ['partner_id']) if here else ()
        debtors = self.browse([partner.commercial_partner_id.id for (partner,) in found])
        return self & debtors

    def _check_dunning_private(self, vals):
        """Raise when what consumers owe themselves would become a debt of a parent, who would read about it.

        Also what was paid: it is owed again when the bank takes a payment back. Core moves the journal items along, and
        shows a parent everything of its contacts. It refuses this itself when VAT numbers differ. Only what is owed to
        creditors whose law is in this program: of others nothing is asked that a consumer is protected against.
        """
        moving = self.filtered(lambda partner: (
            not vals.get('is_company', partner.is_company) and vals.get('parent_id', partner.parent_id.id)))
        for debtor in moving._filter_dunning_consumers(settled=True)._filter_dunning_under_law():
            parent = self.browse(vals['parent_id']) if vals.get('parent_id') else debtor.parent_id
            # A validation error: a merge of contacts then goes on without the parent.
            raise ValidationError(self.env._(
                "%(debtor)s bought something as a consumer. As a contact of %(parent)s these private debts would "
                "become those of %(parent)s, which would read about them. Make a separate contact for the person who "
                "acts for %(parent)s. If nothing of it was private, somebody in accounting first chooses another "
                "debtor type and says why.",
                debtor=debtor.name, parent=parent.name))

    def _check_dunning_confirmed(self, vals):
        """Raise when these consumers become something else and it is not somebody in accounting who says why."""
        reason = (vals.get('dunning_type_reason') or '').strip()
        if self and not (reason and self.env.user.has_group('account.group_account_invoice')):
            raise UserError(self.env._(
                "%s was treated as a consumer. Only somebody in accounting can choose another debtor type, and says "
                "why in “Reason”.", self[0].display_name))

    def _log_dunning_confirmed(self):
        """Write down who made a business of these consumers and why, and close the to-do about it."""
        labels = dict(self._fields['dunning_debtor_type']._description_selection(self.env))
        for debtor in self.sudo():  # sudo: the to-do can be that of a colleague
            debtor._message_log(body=self.env._(
                "No longer treated as a consumer but as: %(type)s (%(reason)s). From now on the policy for this type "
                "applies, and interest and collection costs without a 14-day letter.",
                type=labels[debtor.dunning_debtor_type], reason=debtor.dunning_type_reason))
            debtor.activity_unlink([ACTIVITY])

    def _keep_dunning_consumer(self, why):
        """Go on treating a debtor as a consumer, and ask whether it is a business.

        :param str why: what says that it is one
        """
        self.ensure_one()
        # sudo: whoever edits a contact need not be in accounting
        debtor = self.sudo()
        debtor.write({
            'dunning_debtor_type': 'consumer',
            'dunning_type_reason': self.env._("treated as a consumer before, and nobody confirmed that: %s", why)})
        Item = debtor.env['account.move.line']
        company = Item.search(Item._get_dunning_open_domain(debtors=debtor), limit=1).company_id or (
            debtor.dunning_notice_ids[:1].company_id or self.env.company)
        user = debtor._get_dunning_collector(company)
        env = debtor.with_context(lang=user.lang or self.env.lang).env
        text = env._(
            "%(debtor)s was treated as a consumer. Now something says that it is a business: %(why)s. Until somebody "
            "in accounting confirms that, it stays a consumer: with the policy for consumers, and without collection "
            "costs before a 14-day letter has run out. Is it a business? Choose that as its debtor type on the "
            "contact, with the reason: from then on interest and costs are those for businesses.",
            debtor=debtor.name, why=why)
        debtor._message_log(body=text)
        debtor.activity_unlink([ACTIVITY])
        if user:
            debtor.activity_schedule(
                ACTIVITY, date_deadline=company._dunning_today(), user_id=user.id, automated=True,
                summary=env._("Is this debtor a business?"), note=text)

    def _check_dunning_decided(self, others):
        """Raise when accounting decided something about others that would be lost, and the user is not in accounting.

        Core fills in what this contact does not have, of the fields that the user may read, and deletes the others.
        """
        if self.env.su or self.env.user.has_group(BOOKKEEPERS):
            return
        names = [name for name, field in self._fields.items() if (
            name.startswith('dunning_') and field.store and not field.readonly and field.type != 'one2many')]
        # sudo: what was decided in any company, whatever the user may see of it
        for company in self.env['res.company'].sudo().search(Domain.TRUE):
            # sudo: as above
            kept, *lost = (self | others).sudo().with_company(company)
            for debtor in lost:
                if any(debtor[name] and debtor[name] != kept[name] for name in names):
                    raise UserError(self.env._(
                        "Accounting decided how %s is reminded, which would be lost. Let somebody in accounting merge "
                        "these contacts.", debtor.display_name))

    def _prepare_dunning_merge(self, others):
        """Settle, before others are merged into this contact, whether it is a consumer afterwards.

        Core fills in what this contact does not have, and moves the journal items without asking anybody.
        """
        self.ensure_one()
        self._check_dunning_decided(others)
        private = (self | others)._filter_dunning_consumers(settled=True)
        if private and self.commercial_partner_id != self:
            raise ValidationError(self.env._(
                "%(debtor)s bought something as a consumer. Merged into a contact of %(parent)s these private debts "
                "would become those of %(parent)s. Merge the other way round.",
                debtor=private[0].name, parent=self.commercial_partner_id.name))
        business = (self | others).filtered(lambda partner: partner.dunning_effective_type != 'consumer')
        if business and (self | others)._filter_dunning_consumers():
            self._keep_dunning_consumer(self.env._("it was merged with %s", business[0].name))
        elif business and self not in business:
            # Before it has the debts of the others, so that it does not count as a consumer that has them.
            kept, lost = self.sudo(), others.sudo()  # sudo: the type as well, of whoever may merge contacts
            kept.write({
                name: value for name in ('dunning_debtor_type', *BUSINESS_SIGNS)
                if not kept[name] and (value := next(filter(None, lost.mapped(name)), None))})
