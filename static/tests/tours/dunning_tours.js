import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("l10n_nl_dunning.send_from_invoices", {
    steps: () => [
        {
            content: "Select the overdue invoice",
            trigger: ".o_data_row:contains(Bakkerij De Korst) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Select the one that is not due as well",
            trigger: ".o_data_row:contains(Slagerij Vroeg) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Send reminder",
            trigger: ".o_control_panel button[name=action_dunning_send]",
            run: "click",
        },
        {
            content: "The wizard says what goes out",
            trigger:
                ".modal div[name=group_ids] .o_data_row:contains(Bakkerij De Korst):contains(Reminder):contains(250.00)",
        },
        {
            content: "and nothing else",
            trigger: ".modal div[name=group_ids]:not(:contains(Slagerij Vroeg))",
        },
        {
            content: "What does not go out",
            trigger: ".modal .nav-link[name=skips]",
            run: "click",
        },
        {
            content: "and why",
            trigger:
                ".modal div[name=skip_ids] .o_data_row:contains(Slagerij Vroeg):contains(Not due yet)",
        },
        {
            content: "Send now",
            trigger: ".modal footer button[name=action_send_now]",
            run: "click",
        },
        {
            content: "The wizard is gone",
            trigger: "body:not(:has(.modal))",
        },
        {
            content: "The result is told; show the notice",
            trigger: ".o_notification:contains(On Its Way: 1) button:contains(Show it)",
            run: "click",
        },
        {
            content: "It waits for the mail server",
            trigger:
                ".o_form_view .o_statusbar_status .o_arrow_button_current:contains(On Its Way)",
        },
        {
            content: "Its letter is there",
            trigger: ".o_form_view .nav-link[name=letter]",
        },
    ],
});

tours.add("l10n_nl_dunning.approve_proposals", {
    steps: () => [
        {
            content: "The proposals are shown first",
            trigger: ".o_search_panel .active:contains(Proposal)",
        },
        {
            content: "A proposal can be opened",
            trigger: ".o_data_row:contains(Bakkerij De Korst) td[name=partner_id]",
            run: "click",
        },
        {
            content: "It says what it is about",
            trigger: ".o_form_view div[name=line_ids] .o_data_row:contains(250.00)",
        },
        {
            content: "Back",
            trigger: ".o_breadcrumb .o_back_button",
            run: "click",
        },
        {
            content: "Select it",
            trigger: ".o_data_row:contains(Bakkerij De Korst) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Approve",
            trigger: ".o_control_panel button[name=action_review]",
            run: "click",
        },
        {
            content: "Look at what would leave",
            trigger: ".modal button.o_dunning_preview",
            run: "click",
        },
        {
            content: "The e-mail as it will arrive",
            trigger: ".o_dunning_preview_dialog iframe.o_dunning_preview_mail[srcdoc*='250']",
        },
        {
            content: "Back to the decision",
            trigger: ".modal:has(.o_dunning_preview_dialog) .modal-footer .btn-primary",
            run: "click",
        },
        { trigger: "body:not(:has(.o_dunning_preview_dialog))" },
        {
            content: "See what it comes to, and approve",
            trigger: ".modal:contains(Bakkerij De Korst) footer button[name=action_approve]",
            run: "click",
        },
        {
            content: "The result is told",
            trigger: ".o_notification:contains(on their way)",
        },
        {
            content: "No proposal is left",
            trigger: ".o_nocontent_help",
        },
    ],
});

tours.add("l10n_nl_dunning.salesperson_contact", {
    steps: () => [
        {
            content: "The level of the contact shows",
            trigger: ".o_form_view div[name=dunning_level] .badge:contains(Reminder)",
        },
        {
            content: "No amounts, no notices",
            trigger:
                ".o_form_view:not(:has(.nav-link[name=dunning])):not(:has([name=dunning_amount_overdue])):not(:has(button[name=action_dunning_notices]))",
        },
        {
            content: "A contact can be changed",
            trigger: ".o_field_widget[name=function] input, .o_field_widget[name=website] input",
            run: "edit https://korst.example.com",
        },
        {
            content: "and saved",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "without an error",
            trigger: ".o_form_saved:not(:has(.modal))",
        },
    ],
});

tours.add("l10n_nl_dunning.salesperson_contacts", {
    steps: () => [
        {
            content: "Open the filters",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            content: "Who has a level",
            trigger:
                ".o_filter_menu .o-dropdown-item:contains(Has a Dunning Level), .o_filter_menu .o_menu_item:contains(Has a Dunning Level)",
            run: "click",
        },
        {
            content: "The list shows the level",
            trigger:
                ".o_data_row:contains(Bakkerij De Korst) td[name=dunning_level_id] .badge:contains(Reminder)",
        },
        {
            content: "The cards",
            trigger: ".o_switch_view.o_kanban",
            run: "click",
        },
        {
            content: "show it too",
            trigger: ".o_kanban_record:contains(Bakkerij De Korst) .badge:contains(Reminder)",
        },
    ],
});
