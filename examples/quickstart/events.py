# events.py: what the services tell each other
from decimal import Decimal
from uuid import UUID

from typed_pubsub import Event


class OrderPlaced(Event, routing_key="shop.orders.placed"):
    order_id: UUID
    email: str
    total: Decimal
