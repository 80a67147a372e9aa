"""One publisher, used by the forks of a process or by its threads; prints the numbers that are confirmed."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.faults.service import EXCHANGE, Happened
from typed_pubsub import Publisher, PubSubConfig

config = PubSubConfig(broker_url=os.environ["FAULTS_EVENTS"], exchange=EXCHANGE, publish_timeout=60, unroutable="raise")


def publish(publisher: Publisher, numbers: range) -> None:
    """Half of them one by one, half of them together."""
    half = len(numbers) // 2
    for number in numbers[:half]:
        publisher.publish(Happened(number=number))
    publisher.publish_many(Happened(number=number) for number in numbers[half:])
    sys.stdout.write("".join(f"{number}\n" for number in numbers))
    sys.stdout.flush()


def fork(publisher: Publisher, parts: list[range]) -> None:
    """The parent publishes before its children, beside them and after them."""
    publish(publisher, parts[0])
    children: list[int] = []
    for part in parts[1:5]:
        child = os.fork()
        if not child:
            publish(publisher, part)
            os._exit(0)
        children.append(child)
    publish(publisher, parts[5])
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    publish(publisher, parts[6])
    publish(publisher, parts[7])


def threads(publisher: Publisher, parts: list[range]) -> None:
    """Eight at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda part: publish(publisher, part), parts))


if __name__ == "__main__":
    each = -(-int(sys.argv[2]) // 8)
    ranges = [range(at * each, (at + 1) * each) for at in range(8)]
    with Publisher(config) as shared:
        {"fork": fork, "threads": threads}[sys.argv[1]](shared, ranges)
