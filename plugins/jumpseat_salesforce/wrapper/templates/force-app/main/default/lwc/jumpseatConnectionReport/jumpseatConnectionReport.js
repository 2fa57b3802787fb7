import { LightningElement, api } from 'lwc';

/** Connection report of the record that is shown. */
export default class JumpseatConnectionReport extends LightningElement {
    @api recordId;
    @api height = 400;
    @api formFactor = 'Desktop';

    get view() {
        return this.formFactor === 'Mobile' ? 'connections-mobile' : 'connections';
    }
}
