"""The whole story on one screen: two services, real processes, the embedded broker. ``typed-pubsub demo`` runs it.

======================  =============================================================================
``events``              what the services tell each other
``app1``                the publishing service: a process of its own
``query``               the subscribing service: its mapping and settings
``query_subscriber``    its subscriber: a process of its own, killed in the middle of the story
``query_tasks``         its Celery app and tasks: run by a real ``celery worker``
``story``               starts them, kills one, waits, and counts
``tally``               what is counted, and from what
======================  =============================================================================
"""
