"""What happens in a room, over real sockets."""

from __future__ import annotations

from rooms_kit import PICTURE, Stage


def test_a_picture_of_the_customer_reaches_the_supporter(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        customer.hear("take")
        customer.show()

        assert viewer.picture() == PICTURE
