import { LightningElement, api } from 'lwc';

/** Session of the record that is shown. */
export default class JumpseatSession extends LightningElement {
    @api recordId;
    @api height = 200;

    get view() {
        return 'session';
    }
}
