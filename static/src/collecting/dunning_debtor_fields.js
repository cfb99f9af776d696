import { Component, xml } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The next step with a debtor: a link to what it is done with, where a person has to do it. */
export class NextStepField extends Component {
    static template = xml`
        <a t-if="props.record.data.next_is_link" href="#" class="o_dunning_next_step"
            t-on-click.prevent.stop="open" t-esc="text"/>
        <span t-else="" class="o_dunning_next_step text-muted text-wrap" t-esc="text"/>`;
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
    }

    get text() {
        return this.props.record.data[this.props.name] || "";
    }

    open() {
        const { resModel, resId } = this.props.record;
        return this.action.doActionButton({
            type: "object",
            name: "action_next_step",
            resModel,
            resId,
            resIds: [resId],
        });
    }
}

/** Two links of one width: to call the debtor, and to write. */
export class ReachField extends Component {
    static template = xml`
        <t t-foreach="ways" t-as="way" t-key="way.icon">
            <a t-if="way.to" t-att-href="way.href" class="btn btn-link px-1 py-0" t-att-title="way.title"
                t-att-aria-label="way.title" t-on-click.stop="() => {}"><i t-attf-class="fa {{way.icon}}"/></a>
        </t>`;
    static props = { ...standardFieldProps };

    get ways() {
        const { reach_phone: phone, reach_email: email } = this.props.record.data;
        return [
            {
                icon: "fa-phone",
                to: phone,
                href: `tel:${(phone || "").replace(/[^+\d]/g, "")}`,
                title: _t("Call %s", phone),
            },
            {
                icon: "fa-envelope-o",
                to: email,
                href: `mailto:${email}`,
                title: _t("Write to %s", email),
            },
        ];
    }
}

registry.category("fields").add("dunning_next_step", {
    component: NextStepField,
    supportedTypes: ["char"],
    fieldDependencies: [{ name: "next_is_link", type: "boolean" }],
});
registry.category("fields").add("dunning_reach", {
    component: ReachField,
    supportedTypes: ["char"],
    fieldDependencies: [{ name: "reach_email", type: "char" }],
});
