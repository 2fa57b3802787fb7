import { LightningElement, api } from 'lwc';

/** Session history of the record that is shown. */
export default class JumpseatSessionHistory extends LightningElement {
    @api recordId;
    @api height = 400;

    get view() {
        return 'history';
    }
}
