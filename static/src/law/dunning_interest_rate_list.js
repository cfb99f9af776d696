import { registry } from "@web/core/registry";
import { listView } from "@web/views/list/list_view";
import { ListController } from "@web/views/list/list_controller";

/** The list of rates, with what is missing said above it. */
export class DunningInterestRateListController extends ListController {
    static template = "l10n_nl_dunning.InterestRateListView";

    get alert() {
        // Each rate carries the same sentence: what is missing in the whole table.
        const [rate] = this.model.root.records;
        return rate?.data.rates_alert;
    }
}

registry.category("views").add("dunning_interest_rate_list", {
    ...listView,
    Controller: DunningInterestRateListController,
});
