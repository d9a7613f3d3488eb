module edgeward.example/upstream

go 1.19
