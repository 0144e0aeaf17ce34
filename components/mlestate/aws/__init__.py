"""An estate on AWS: Amazon SageMaker and what it stands on."""
