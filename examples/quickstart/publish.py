# publish.py: the publishing service
from decimal import Decimal
from uuid import uuid4

from examples.quickstart.events import OrderPlaced
from typed_pubsub import Publisher, PubSubConfig

config = PubSubConfig(broker_url="sqlite:///shop.db", exchange="events", source="shop")

with Publisher(config) as publisher:
    order = OrderPlaced(order_id=uuid4(), email="ada@example.org", total=Decimal("12.50"))
    print("confirmed by the broker:", publisher.publish(order))
