import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("l10n_nl_dunning_sale.ask_for_release", {
    steps: () => [
        {
            content: "New quotation",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "Look for the customer",
            trigger: ".o_field_widget[name=partner_id] input",
            run: "edit Bakkerij",
        },
        {
            content: "The drop-down says the level",
            trigger:
                ".o-autocomplete--dropdown-item:contains(Bakkerij De Korst):contains(Demand) a",
            run: "click",
        },
        {
            content: "The banner says how the customer pays",
            trigger: "div[name=dunning]:contains(Bakkerij De Korst BV is at level “Demand”)",
        },
        {
            content: "Add a product",
            trigger: ".o_field_x2many_list_row_add a:contains(Add a product)",
            run: "click",
        },
        {
            content: "Choose it",
            trigger: ".o_selected_row .o_field_widget[name=product_template_id] input",
            run: "edit Oven",
        },
        {
            content: "The oven",
            trigger: ".o-autocomplete--dropdown-item:contains(Oven) a",
            run: "click",
        },
        {
            content: "It waits for a credit manager",
            trigger: "div[name=dunning]:contains(waits for release by Mila)",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is saved",
            trigger: ".o_form_saved",
        },
        {
            content: "Try to confirm all the same",
            trigger: "button[name=action_confirm]:visible",
            run: "click",
        },
        {
            content: "A sentence says why not, and who can help",
            trigger: ".modal:contains(cannot be confirmed):contains(Mila) .btn-primary",
            timeout: 30000,
            run: "click",
        },
        {
            content: "Ask for release",
            trigger: "button[name=action_dunning_ask]",
            run: "click",
        },
        {
            content: "It was asked for",
            trigger: "div[name=dunning]:contains(Release was asked for on)",
        },
    ],
});

tours.add("l10n_nl_dunning_sale.release", {
    steps: () => [
        {
            content: "The order waits, with the reason",
            trigger: ".o_data_row:contains(Bakkerij De Korst):contains(Demand)",
        },
        {
            content: "Release it",
            trigger: ".o_data_row:contains(Bakkerij De Korst) button[name=action_dunning_release]",
            run: "click",
        },
        {
            content: "Say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit The director paid by telephone",
        },
        {
            content: "Release",
            trigger: ".modal footer .btn-primary",
            run: "click",
        },
        {
            content: "No order waits any more",
            trigger: "body:not(:has(.modal)):not(:has(.o_data_row:contains(Bakkerij De Korst)))",
        },
    ],
});

tours.add("l10n_nl_dunning_sale.confirm", {
    steps: () => [
        {
            content: "The banner says that it was released",
            trigger: "div[name=dunning]:contains(Mila released this order)",
        },
        {
            content: "Confirm",
            trigger: "button[name=action_confirm]:visible",
            run: "click",
        },
        {
            content: "The order goes",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Sales Order)",
        },
    ],
});
