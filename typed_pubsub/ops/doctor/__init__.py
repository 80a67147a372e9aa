"""What is wrong with the brokers of a service, told line by line from the network upwards."""
