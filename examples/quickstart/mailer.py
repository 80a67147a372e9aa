# mailer.py: the subscribing service, its Celery task included
from decimal import Decimal
from uuid import UUID

from celery import Celery

from examples.quickstart.events import OrderPlaced
from typed_pubsub import PubSubConfig, TaskCall, TaskMapping, call, task

app = Celery("mailer", broker="sqlite:///shop.db")
# A task that dies with its worker runs again; Celery's default is to lose it.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
mapping = TaskMapping()


@task(app)
def send_receipt(order_id: UUID, email: str, total: Decimal) -> None:
    print(f"receipt for {email}: order {order_id}, {total} EUR")


@mapping.on(OrderPlaced, when=lambda order: order.total > 0)
def receipt(order: OrderPlaced) -> TaskCall:
    return call(send_receipt, order.order_id, email=order.email, total=order.total).using(countdown=1)


def get_celery_app() -> Celery:
    return app


config = PubSubConfig(
    broker_url="sqlite:///shop.db",
    exchange="events",
    queue_name="mailer",
    task_mapping=mapping,
    get_celery_app=get_celery_app,
)
