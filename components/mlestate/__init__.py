"""One estate.yaml to a whole MLOps estate on SageMaker, Vertex AI or Azure ML."""
